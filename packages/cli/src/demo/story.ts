import { styleText } from 'node:util';
import type { Finding } from '@millrace/testing';

/** What the demo tells, on standard output. */
export class Story {
  #chapter = 0;

  chapter(title: string): void {
    console.log(`\n${styleText('bold', `${++this.#chapter}. ${title}`)}`);
  }

  /** One thing that happened. */
  step(text: string): void {
    console.log(`\n   ${styleText('cyan', '▸')} ${text}`);
  }

  /** What shows it: a value by name, one to a line. */
  evidence(facts: Readonly<Record<string, unknown>>): void {
    const width = Math.max(...Object.keys(facts).map((name) => name.length));
    for (const [name, value] of Object.entries(facts)) {
      console.log(
        `     ${styleText('dim', name.padEnd(width))}  ${typeof value === 'string' ? value : inline(value)}`,
      );
    }
  }

  /** How far something has come: a line that is written over on a terminal, every tenth part elsewhere. */
  progress(what: string, done: number, of: number): void {
    const line = `   ${what} ${done} of ${of}`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}${done === of ? '\n' : ''}`);
    else if (done % Math.ceil(of / 10) === 0 || done === of) console.log(line);
  }

  /** A claim with what it was seen on; the first contradictions where there are any. */
  finding({ claim, evidence, faults }: Finding): void {
    const mark = faults.length === 0 ? styleText('green', '✓') : styleText('red', '✗');
    console.log(`   ${mark} ${claim} ${styleText('dim', `(${evidence})`)}`);
    for (const fault of faults.slice(0, 5)) console.log(`       ${styleText('red', fault)}`);
    if (faults.length > 5) console.log(`       … and ${faults.length - 5} more`);
  }
}

/** JSON in one line; longs in full, bytes in hex. */
export function inline(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
}
