export interface KafkaPlace {
  /** The address on which it listens; clients get 127.0.0.1. */
  readonly host: string;
  readonly port: number;
  /** Default: the same port. Differs behind a proxy. */
  readonly advertisedPort?: number;
  readonly controllerPort: number;
  readonly folder: string;
}

/** The settings of one node that is its own controller and starts quickly. */
export function kafkaSettings(place: KafkaPlace): Record<string, string> {
  const { host, port, advertisedPort = port, controllerPort, folder } = place;
  return {
    'node.id': '1',
    'process.roles': 'broker,controller',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort}`,
    'log.dirs': folder,
    // A killed broker that starts again is refused until the session of the killed one expires.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // A missing topic then shows as an error.
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    ...internalTopic('offsets.topic'),
    ...internalTopic('transaction.state.log'),
    ...internalTopic('share.coordinator.state.topic'),
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.min.isr': '1',
  };
}

function internalTopic(name: string): Record<string, string> {
  return { [`${name}.num.partitions`]: '1', [`${name}.replication.factor`]: '1' };
}
