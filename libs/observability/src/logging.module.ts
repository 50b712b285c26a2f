import { type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { levels, type LogFn, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { traceContext } from '@app/messaging';

const infoLevel = levels.values['info'];

/** Nest's own start-up messages, logged as debug. */
const nestStart = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

const prettyOptions = {
  // Not by a worker thread, so that nothing is lost when the process ends.
  sync: true,
  singleLine: true,
  ignore: 'pid,hostname,name,app,context',
  messageFormat: '{app}: {msg}',
  colorize: false,
};

/**
 * Nest's logger and one line per HTTP request, on pino. Bodies and headers are not logged, because they may hold
 * secrets.
 */
export function loggingModule(settings: {
  application: string;
  level: string;
  format: 'json' | 'pretty';
}): DynamicModule {
  const { application, level, format } = settings;
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
      req: ({ id, method, url }: { id: string; method: string; url: string }) => {
        // Without the query: in a link to a file, it is a signature that gives access to the file.
        return { id, method, path: url.split('?', 1)[0] };
      },
      res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
    },
    customLogLevel: (_request: unknown, response: { statusCode: number }, error?: Error) =>
      error || response.statusCode >= 500 ? ('error' as const) : ('debug' as const),
  };
  return LoggerModule.forRoot({ pinoHttp: format === 'pretty' ? [options, pretty(prettyOptions)] : options });
}
