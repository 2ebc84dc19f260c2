import type { OnProgress, Progress } from '@millrace/stack';
import { Listr } from 'listr2';

/** Shows the progress of a stack: a list that changes in place in a terminal, else a line for each event. */
export interface ProgressView {
  readonly onProgress: OnProgress;
  /** Ends the list; what never came to its turn says `rest`. */
  end(rest: string): Promise<void>;
}

export const progressView = (names: readonly string[], tty = process.stdout.isTTY): ProgressView =>
  tty ? new ListView(names) : plainView();

export const plainView = (write: (line: string) => void = console.log): ProgressView => ({
  onProgress: (progress) => {
    const line = describe(progress);
    if (line) write(`  ${line}`);
  },
  end: async () => {},
});

/** One line for what happened; none for what is only about to happen. */
export const describe = (progress: Progress): string | undefined => {
  switch (progress.state) {
    case 'starting':
    case 'stopping':
      return undefined;
    case 'note':
      return `${progress.name}: ${progress.text}`;
    case 'ready':
      return `${progress.name} ${progress.started ? `ready after ${seconds(progress.ms)}` : 'runs already'}`;
    case 'failed':
      return `${progress.name} failed after ${seconds(progress.ms)}`;
    case 'abandoned':
      return `${progress.name} given up after ${seconds(progress.ms)}`;
    case 'stopped':
      return `${progress.name} stopped after ${seconds(progress.ms)}`;
  }
};

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

class ListView implements ProgressView {
  private readonly turns: ReadonlyMap<string, PromiseWithResolvers<Progress | string>>;
  private readonly run: Promise<unknown>;

  constructor(names: readonly string[]) {
    this.turns = new Map(names.map((name) => [name, Promise.withResolvers()]));
    const tasks = names.map((name) => ({
      title: name,
      task: async (_: unknown, task: { title: string; output: string; skip(text: string): void }) => {
        const outcome = await this.turns.get(name)?.promise;
        if (outcome === undefined || typeof outcome === 'string') return task.skip(`${name} ${outcome}`);
        task.title = describe(outcome) ?? name;
        if (outcome.state === 'failed' || outcome.state === 'abandoned') throw new Error(task.title);
      },
    }));
    const options = { concurrent: true, exitOnError: false, registerSignalListeners: false } as const;
    this.run = new Listr(tasks, { ...options, rendererOptions: { showErrorMessage: false } }).run();
  }

  readonly onProgress = (progress: Progress): void => {
    const isOver = !['starting', 'note', 'stopping'].includes(progress.state);
    if (isOver) this.turns.get(progress.name)?.resolve(progress);
  };

  async end(rest: string): Promise<void> {
    for (const turn of this.turns.values()) turn.resolve(rest);
    await this.run;
  }
}
