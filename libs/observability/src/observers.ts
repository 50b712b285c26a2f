import type { Provider } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import type { Settings } from '@app/configuration';
import { MessagingSignals } from '@app/messaging';
import { logSignals } from './log-signals';
import { measureProcess } from './metrics/process-metrics';
import { countSignals } from './metrics/signal-metrics';

/** All listeners to the signals of the core. Provides the `Registry` of the metrics of this process. */
export function observers({ FAIL_POINT }: Pick<Settings, 'FAIL_POINT'>): Provider[] {
  const observe = (signals: MessagingSignals, logger: PinoLogger) => {
    logSignals(signals, logger);
    if (FAIL_POINT) killAt(FAIL_POINT, signals);
  };
  const register = (signals: MessagingSignals, pool: Pool) => {
    const registry = new Registry();
    countSignals(signals, registry);
    measureProcess(pool, registry);
    return registry;
  };
  return [
    { provide: 'OBSERVERS', inject: [MessagingSignals, PinoLogger], useFactory: observe },
    { provide: Registry, inject: [MessagingSignals, Pool], useFactory: register },
  ];
}

/**
 * For crash tests: the process kills itself with SIGKILL at the nth signal of a name. The core emits its signals
 * synchronously, so nothing happens after that signal.
 */
function killAt({ at, nth }: NonNullable<Settings['FAIL_POINT']>, signals: MessagingSignals): void {
  let left = nth;
  signals.on(at, () => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  });
}
