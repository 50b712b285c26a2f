import type { Provider } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { Settings } from '@app/configuration';
import { MessagingSignals } from '@app/messaging';
import { logSignals } from './log-signals';

/** All listeners to the signals of the core. */
export function observers({ FAIL_POINT }: Pick<Settings, 'FAIL_POINT'>): Provider[] {
  const observe = (signals: MessagingSignals, logger: PinoLogger) => {
    logSignals(signals, logger);
    if (FAIL_POINT) killAt(FAIL_POINT, signals);
  };
  return [{ provide: 'OBSERVERS', inject: [MessagingSignals, PinoLogger], useFactory: observe }];
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
