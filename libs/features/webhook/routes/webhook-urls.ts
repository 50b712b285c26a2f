import { Injectable } from '@nestjs/common';
import { TargetGuard, TargetRefused } from '@app/features/webhook';
import { Problem } from '@app/http';

/** What can be found fault with in a URL, while whoever gives it is there to hear of it. */
@Injectable()
export class WebhookUrls {
  constructor(private readonly guard: TargetGuard) {}

  /** @throws Problem 422 */
  async check(url: string): Promise<void> {
    try {
      await this.guard.check(url);
    } catch (error) {
      if (!(error instanceof TargetRefused)) throw error;
      const { message } = error;
      throw new Problem(422, 'webhook_url_refused', 'Webhooks are not sent there', message, [{ path: 'url', message }]);
    }
  }
}
