import { ConfigurationError, configuredBrokers } from '@app/configuration';
import type { BrokerName } from '@app/contracts';
import { brokerCapabilities, type BrokerSettings } from './configured-drivers';

/**
 * The settings of a process that replays past events. A broker without replay is left out, so that the process creates
 * no queue there for a temporary subscriber.
 * @param because the setting that requires the replay
 * @throws ConfigurationError when no configured broker can replay
 */
export function replayingBrokers<Settings extends BrokerSettings>(settings: Settings, because: string): Settings {
  const keeps = (broker: BrokerName) => brokerCapabilities[broker].replay !== 'none';
  if (!configuredBrokers(settings).some(keeps)) {
    throw new ConfigurationError([`${because}: expected a broker that keeps past events; set KAFKA_BROKERS as well`]);
  }
  return {
    ...settings,
    RABBITMQ_URL: keeps('rabbitmq') ? settings.RABBITMQ_URL : undefined,
    KAFKA_BROKERS: keeps('kafka') ? settings.KAFKA_BROKERS : undefined,
  };
}
