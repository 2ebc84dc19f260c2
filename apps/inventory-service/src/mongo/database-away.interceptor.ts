import { ProblemException } from '@millrace/service-defaults';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { catchError, type Observable } from 'rxjs';
import { isDatabaseAway } from './is-database-away.js';

/** Answers 503 where the database is what failed: the client may try again. */
@Injectable()
export class DatabaseAwayInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        throw isDatabaseAway(error)
          ? new ProblemException({
              status: 503,
              code: 'DATABASE_UNAVAILABLE',
              detail: 'The inventory database does not answer. Try again.',
              cause: error,
            })
          : error;
      }),
    );
  }
}
