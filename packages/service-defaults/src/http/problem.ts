import { HttpException } from '@nestjs/common';

/** One fault of a request: where it lies and what is wrong. */
export interface ProblemFault {
  /** In the body: a JSON Pointer as URI fragment, for example `#/lines/0/quantity` (RFC 6901 section 6). */
  pointer?: string;
  /** Outside the body: the query parameter, path parameter or header. */
  parameter?: string;
  detail: string;
}

/** An error answer, `application/problem+json` (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  /** Path of the request. */
  instance?: string;
  /** Stable code for programs that branch on the cause. */
  code?: string;
  traceId?: string;
  errors?: ProblemFault[];
}

/** What a handler says when it refuses a request. */
export interface ProblemOptions {
  /** HTTP status, 400 to 599. */
  status: number;
  /** Stable code, for example `ORDER_NOT_CANCELLABLE`. */
  code: string;
  /** What happened in this case, for the person who reads the answer. */
  detail: string;
  errors?: ProblemFault[];
  cause?: unknown;
}

/** Refuses a request with a status, a stable code and an explanation. */
export class ProblemException extends HttpException {
  readonly code: string;
  readonly errors: readonly ProblemFault[];

  constructor({ status, code, detail, errors = [], cause }: ProblemOptions) {
    super(detail, status, { cause });
    this.code = code;
    this.errors = errors;
  }
}
