import type { Settings } from '@app/configuration';
import type { MessagingSignals } from '@app/messaging';

/**
 * For crash tests: the process kills itself with SIGKILL at the nth signal of a name. The core emits its signals
 * synchronously, so nothing happens after that signal.
 */
export class FailPoint {
  private left = 0;

  constructor(signals: MessagingSignals, failPoint: Settings['FAIL_POINT']) {
    if (!failPoint) return;
    this.left = failPoint.nth;
    signals.on(failPoint.at, () => {
      this.left -= 1;
      if (this.left === 0) process.kill(process.pid, 'SIGKILL');
    });
  }
}
