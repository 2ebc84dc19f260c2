import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a program said of itself; undefined where it does not run. */
type Answer = string | undefined;

/**
 * Remembers what programs answered, by path, time of change and size, because starting a JVM only to
 * read its version would cost more than everything else that is done before a start.
 */
export class ProbeMemory {
  private readonly file: string;
  private readonly answers: Record<string, string>;

  constructor(root: string) {
    this.file = join(root, 'probes.json');
    this.answers = read(this.file);
  }

  async ask(program: string, probe: () => Promise<Answer>): Promise<Answer> {
    const key = identity(program);
    const known = this.answers[key];
    if (known !== undefined) return known;
    const answer = await probe();
    if (answer !== undefined) this.remember(key, answer);
    return answer;
  }

  /** Two processes may write at once: either file is whole, and a lost answer is asked for again. */
  private remember(key: string, answer: string): void {
    this.answers[key] = answer;
    const temporary = `${this.file}.${process.pid}`;
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      writeFileSync(temporary, JSON.stringify(this.answers, null, 1));
      renameSync(temporary, this.file);
    } catch {
      // Not remembered: it only costs the next run the same question.
    }
  }
}

function identity(program: string): string {
  const path = realpathSync(program);
  const { mtimeMs, size } = statSync(path);
  return `${path} ${mtimeMs} ${size}`;
}

function read(file: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}
