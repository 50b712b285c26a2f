import { ConfigurationError, configuredBrokers } from '@app/configuration';
import { brokerCapabilities, type BrokerSettings } from './configured-drivers';

/**
 * The settings of a process that is there for the past: a broker that keeps none is left out, so that it makes no
 * queue for a name that goes again.
 * @param because the setting that asks for the past
 * @throws ConfigurationError where no configured broker keeps it
 */
export function replayingBrokers<Settings extends BrokerSettings>(settings: Settings, because: string): Settings {
  const keeps = (broker: 'rabbitmq' | 'kafka') => brokerCapabilities[broker].replay !== 'none';
  if (!configuredBrokers(settings).some((broker) => brokerCapabilities[broker].replay !== 'none')) {
    throw new ConfigurationError([
      `${because}: expected a broker that keeps what was told before; set KAFKA_BROKERS as well`,
    ]);
  }
  return {
    ...settings,
    RABBITMQ_URL: keeps('rabbitmq') ? settings.RABBITMQ_URL : undefined,
    KAFKA_BROKERS: keeps('kafka') ? settings.KAFKA_BROKERS : undefined,
  };
}
