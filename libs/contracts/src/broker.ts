/** The brokers a job may be sent through. `memory` stands in for a broker in tests and is never configured. */
export const brokerNames = ['bullmq', 'rabbitmq', 'kafka', 'memory'] as const;

export type BrokerName = (typeof brokerNames)[number];

/** The brokers a caller may name in `options.broker`. */
export const requestableBrokers = ['bullmq', 'rabbitmq', 'kafka'] as const satisfies readonly BrokerName[];
