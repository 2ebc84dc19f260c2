import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { SchemaRegistry as ConfluentClient, SchemaType } from '@kafkajs/confluent-schema-registry';
import { avroOptions } from '@millrace/schemas';
import { RegistryUnavailableError } from './codec.errors.js';

type ClientArguments = ConstructorParameters<typeof ConfluentClient>[0];
type ClientOptions = ConstructorParameters<typeof ConfluentClient>[1];
type Middleware = NonNullable<ClientArguments['middlewares']>[number];
type Answer = Awaited<ReturnType<Parameters<NonNullable<ReturnType<Middleware>['response']>>[0]>>;

/** The registry said no: its HTTP status and message. */
export class RegistryRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** No such subject, version or schema. */
  get isNotFound(): boolean {
    return this.status === 404;
  }

  /** Incompatible, or there already. */
  get isConflict(): boolean {
    return this.status === 409;
  }
}

/** What the client makes of an answer that is not 2xx; a broken connection it shows as status 400. */
interface ResponseError extends Error {
  readonly status: number;
}

/** How the client's message begins, before the registry's own or, where the answer has none, before a phrase. */
const PREFIX = 'Confluent_Schema_Registry - ';
const NO_MESSAGE = 'Error, status';
const BROKEN_CONNECTION = 'Error, status 400: ';
/** An HTML page instead of an answer is not worth more of a log line. */
const MESSAGE_LENGTH = 300;

/** The registry's own 404, of which the client keeps only the text: not that of a proxy, or of a wrong path. */
const NOT_FOUND = /\b(schema|subject|version)\b.*(not found|does not match)/i;

/**
 * `@kafkajs/confluent-schema-registry` with an end to every call. The client itself has none: a registry that
 * accepts and never answers, or goes away within an answer, would block its caller for ever. It also keeps every
 * schema that it ever read, so each call has a client of its own; what to keep is for `SchemaRegistry` to say.
 */
export class RegistryClient {
  /** For messages: the URL without credentials. */
  readonly address: string;
  /** A connection for each call: calls are rare, and one kept since the last may be closed by now. */
  readonly #agent: HttpAgent;

  constructor(
    private readonly url: string,
    private readonly timeoutMs: number,
  ) {
    const { protocol, host, pathname } = new URL(url);
    this.#agent =
      protocol === 'https:' ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false });
    this.address = `${protocol}//${host}${pathname}`;
  }

  /**
   * A connection that ends without an answer is made once more: asking again changes nothing, whatever is asked.
   * @throws RegistryUnavailableError when there was no answer in time, or one that says nothing about the question:
   * 5xx, 401, 403, a 404 or a 200 that is not the registry's own
   * @throws RegistryRefusal when the registry said no
   */
  async call<T>(use: (client: ConfluentClient) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    let fault: Error | undefined;
    let isCut = false;
    const observe: Middleware = () => ({
      prepareRequest: async (next) => (await next()).enhance({ signal: abort.signal }),
      response: (next) =>
        next().then(
          (answer) => {
            fault = isJson(answer) ? undefined : this.#unavailable('it answered, but not in JSON');
            return answer;
          },
          (error: ResponseError) => {
            fault = this.#faultOf(error);
            isCut = error.message.includes(BROKEN_CONNECTION);
            throw error;
          },
        ),
    });
    const client = new ConfluentClient(
      {
        host: this.url.replace(/\/+$/, ''),
        retry: { retries: 0 },
        agent: this.#agent,
        middlewares: [observe],
      },
      { [SchemaType.AVRO]: avroOptions() } as ClientOptions,
    );
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        fault = this.#unavailable(`no answer within ${this.timeoutMs} ms`);
        reject(fault);
        abort.abort();
      }, this.timeoutMs);
    });
    try {
      const answer = use(client).catch((error: unknown) => {
        if (!isCut || abort.signal.aborted) throw error;
        fault = undefined;
        return use(client);
      });
      return await Promise.race([answer, deadline]);
    } catch (error) {
      throw fault ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  #faultOf(error: ResponseError): Error {
    const message = error.message.replace(PREFIX, '');
    const { status } = error;
    const isUnclear = status >= 500 || status === 401 || status === 403 || message.startsWith(NO_MESSAGE);
    if (isUnclear || (status === 404 && !NOT_FOUND.test(message))) {
      return this.#unavailable(message.replace(BROKEN_CONNECTION, '').slice(0, MESSAGE_LENGTH), error);
    }
    return new RegistryRefusal(status, message);
  }

  #unavailable(reason: string, cause?: Error): RegistryUnavailableError {
    const message = `the schema registry at ${this.address} is not available: ${reason}`;
    return new RegistryUnavailableError(message, { cause });
  }
}

function isJson(answer: Answer): boolean {
  try {
    return typeof JSON.parse(answer.rawData() ?? '') === 'object';
  } catch {
    return false;
  }
}
