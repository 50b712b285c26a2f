import type { Provider } from '@nestjs/common';
import type { Settings } from '@app/configuration';
import { MessagingSignals } from '@app/messaging';
import { FailPoint } from './fail-point';
import { LogSubscriber } from './log-subscriber';

/** Everything that listens to what the core says of itself. */
export function observers(settings: Pick<Settings, 'FAIL_POINT'>): Provider[] {
  return [
    LogSubscriber,
    {
      provide: FailPoint,
      inject: [MessagingSignals],
      useFactory: (signals: MessagingSignals) => new FailPoint(signals, settings.FAIL_POINT),
    },
  ];
}
