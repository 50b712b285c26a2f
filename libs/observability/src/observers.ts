import type { Provider } from '@nestjs/common';
import type { Settings } from '@app/configuration';
import { MessagingSignals } from '@app/messaging';
import { FailPoint } from './fail-point';
import { LogSubscriber } from './log-subscriber';

/** All listeners to the signals of the core. */
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
