import type { Settings } from '@app/configuration';
import type { MessagingSignals } from '@app/messaging';

/**
 * For crash tests: the process SIGKILLs itself at the nth event of a name. The core emits its events
 * synchronously, so nothing happens after the one that kills.
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
