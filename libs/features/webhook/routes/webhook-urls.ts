import { Injectable } from '@nestjs/common';
import { TargetGuard, TargetRefused } from '@app/features/webhook';
import { Problem } from '@app/http';

/** Checks the URL of a webhook when it is created or enabled, so that the caller sees the error at once. */
@Injectable()
export class WebhookUrls {
  constructor(private readonly guard: TargetGuard) {}

  /** @throws Problem 422 if webhooks are not sent to this URL */
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
