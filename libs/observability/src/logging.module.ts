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

/** What Nest says of its own start, for whoever debugs it. */
const nestStart = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

/** Nest's logger and one line per HTTP request, on pino. Bodies and headers are not logged: they may hold secrets. */
export function loggingModule({ application, level, format }: LoggingSettings): DynamicModule {
  const options = {
    name: application,
    level,
    base: { app: application },
    // Of the request, a line carries its id only; the line of the request itself has the rest.
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

/** Without the query: that of a link to a file is a signature, and the right to read the file. */
function pathOf(url: string): string {
  return url.split('?', 1)[0]!;
}

/** Written at once, not by a thread: nothing is lost when the process ends. */
function prettyStream(): DestinationStream {
  return pretty({
    sync: true,
    singleLine: true,
    ignore: 'pid,hostname,name,app,context',
    messageFormat: '{app}: {msg}',
    colorize: false,
  });
}
