/** The brokers that can carry a job. `memory` replaces a broker in tests and is never configured. */
export const brokerNames = ['bullmq', 'rabbitmq', 'kafka', 'memory'] as const;

export type BrokerName = (typeof brokerNames)[number];

/** The brokers that a caller may name in `options.broker`. */
export const requestableBrokers = ['bullmq', 'rabbitmq', 'kafka'] as const satisfies readonly BrokerName[];

export type RequestableBroker = (typeof requestableBrokers)[number];
