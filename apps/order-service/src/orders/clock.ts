/** Where the service takes the time from. */
export class Clock {
  now(): Date {
    return new Date();
  }
}
