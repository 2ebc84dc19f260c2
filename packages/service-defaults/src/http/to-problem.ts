import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { type Problem, ProblemException } from './problem.js';

/** What an error tells the client. Unknown errors tell only that there was one. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemException) {
    const { code, message, errors } = error;
    return {
      ...titled(error.getStatus()),
      detail: message,
      code,
      ...(errors.length && { errors: [...errors] }),
    };
  }
  if (error instanceof HttpException) {
    return described(error.getStatus(), error.message);
  }
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500
    ? described(status, (error as Error).message)
    : titled(500);
}

function titled(status: number): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status };
}

// The text of a server fault is meant for operators: only a ProblemException shows it to clients.
function described(status: number, detail: string): Problem {
  const problem = titled(status);
  return status < 500 && detail !== problem.title ? { ...problem, detail } : problem;
}
