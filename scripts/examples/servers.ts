import { connect } from 'node:net';

/** The servers that examples use: the variable with their address, and their broker. */
export const servers = {
  redis: { broker: 'bullmq', variable: 'REDIS_URL', usual: 'redis://localhost:6379', port: 6379 },
  rabbitmq: { broker: 'rabbitmq', variable: 'RABBITMQ_URL', usual: 'amqp://localhost:5672', port: 5672 },
  kafka: { broker: 'kafka', variable: 'KAFKA_BROKERS', usual: 'localhost:9092', port: 9092 },
} as const;

export type Server = keyof typeof servers;

export const serverNames = Object.keys(servers) as Server[];

export function addressOf(server: Server, environment: NodeJS.ProcessEnv = process.env): string {
  return environment[servers[server].variable] || servers[server].usual;
}

/** @returns whether a server listens at the address; the example finds out which one it is */
export async function answers(server: Server, address = addressOf(server)): Promise<boolean> {
  const [first = ''] = address.split(',');
  const { hostname, port } = new URL(first.includes('://') ? first : `tcp://${first}`);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || servers[server].port });
  socket.setTimeout(2_000);
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('timeout', () => resolve(false));
      socket.once('error', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
