import { type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { levels, type DestinationStream, type LogFn, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { traceContext } from '@app/messaging';

export interface LoggingSettings {
  readonly application: string;
  readonly level: string;
  readonly format: 'json' | 'pretty';
}

const infoLevel = levels.values['info'];

/** Nest's own start-up messages, logged as debug. */
const nestStart = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

/**
 * Nest's logger and one line per HTTP request, on pino. Bodies and headers are not logged, because they may hold
 * secrets.
 */
export function loggingModule({ application, level, format }: LoggingSettings): DynamicModule {
  const options = {
    name: application,
    level,
    base: { app: application },
    // A log line holds only the id of its request; the request's own line has the rest.
    quietReqLogger: true,
    hooks: {
      logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, logLevel: number) {
        const { context } = args[0] as { context?: string };
        if (logLevel === infoLevel && context && nestStart.has(context)) this.debug(...args);
        else method.apply(this, args);
      },
    },
    mixin: () => traceContext.getStore() ?? {},
    serializers: {
      req: ({ id, method, url }: { id: string; method: string; url: string }) => ({
        id,
        method,
        path: pathOf(url),
      }),
      res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
    },
    customLogLevel: (_request: unknown, response: { statusCode: number }, error?: Error) =>
      error || response.statusCode >= 500 ? ('error' as const) : ('debug' as const),
  };
  return LoggerModule.forRoot({ pinoHttp: format === 'pretty' ? [options, prettyStream()] : options });
}

/** Without the query: in a link to a file, it is a signature that gives access to the file. */
function pathOf(url: string): string {
  return url.split('?', 1)[0]!;
}

/** Written synchronously, not by a worker thread, so that nothing is lost when the process ends. */
function prettyStream(): DestinationStream {
  return pretty({
    sync: true,
    singleLine: true,
    ignore: 'pid,hostname,name,app,context',
    messageFormat: '{app}: {msg}',
    colorize: false,
  });
}
