import type { Provider } from '@nestjs/common';
import type { Settings } from '@app/configuration';
import { MessagingEvents } from '@app/messaging';
import { FailPoint } from './fail-point';
import { LogSubscriber } from './log-subscriber';

/** Everything that listens to what the core says of itself. */
export function observers(settings: Pick<Settings, 'FAIL_POINT'>): Provider[] {
  return [
    LogSubscriber,
    {
      provide: FailPoint,
      inject: [MessagingEvents],
      useFactory: (events: MessagingEvents) => new FailPoint(events, settings.FAIL_POINT),
    },
  ];
}
