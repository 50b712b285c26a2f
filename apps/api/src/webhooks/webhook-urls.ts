import { Injectable } from '@nestjs/common';
import { TargetGuard, TargetRefused } from '@app/webhooks';
import { Problem } from '../http/problem';

/** What can be found fault with in a URL, while whoever gives it is there to hear of it. */
@Injectable()
export class WebhookUrls {
  constructor(private readonly guard: TargetGuard) {}

  /** @throws Problem 422 */
  async check(url: string): Promise<void> {
    try {
      await this.guard.check(url);
    } catch (error) {
      const message =
        error instanceof TargetRefused
          ? error.message
          : 'expected a host that can be looked up; its name servers do not answer';
      throw new Problem(422, 'webhook_url_refused', 'Webhooks are not sent there', message, [{ path: 'url', message }]);
    }
  }
}
