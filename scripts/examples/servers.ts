/** The servers that examples use: the variable with their address, and the folder of the examples. */
export const servers = {
  postgres: { folder: 'core', variable: 'DATABASE_URL' },
  redis: { folder: 'bullmq', variable: 'REDIS_URL' },
  rabbitmq: { folder: 'rabbitmq', variable: 'RABBITMQ_URL' },
  kafka: { folder: 'kafka', variable: 'KAFKA_BROKERS' },
} as const;

export type Server = keyof typeof servers;

export const serverNames = Object.keys(servers) as Server[];

/** Where servers are, such as `postgres://localhost:5432/shop`. */
export type Addresses = Readonly<Partial<Record<Server, string>>>;
