import { type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import { traceContext } from '@app/messaging';

export interface LoggingSettings {
  readonly application: string;
  readonly level: string;
  readonly format: 'json' | 'pretty';
}

/** Nest's logger and one line per HTTP request, on pino. Bodies and headers are not logged: they may hold secrets. */
export function loggingModule({ application, level, format }: LoggingSettings): DynamicModule {
  const options = {
    name: application,
    level,
    base: { app: application },
    mixin: () => traceContext.getStore() ?? {},
    serializers: {
      req: ({ id, method, url }: { id: string; method: string; url: string }) => ({ id, method, url }),
      res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
    },
    customLogLevel: (_request: unknown, response: { statusCode: number }, error?: Error) =>
      error || response.statusCode >= 500 ? ('error' as const) : ('debug' as const),
  };
  return LoggerModule.forRoot({ pinoHttp: format === 'pretty' ? [options, prettyStream()] : options });
}

/** Written at once, not by a thread: nothing is lost when the process ends. */
function prettyStream(): DestinationStream {
  return pretty({ sync: true, singleLine: true, ignore: 'pid,hostname,name,app,context', colorize: false });
}
