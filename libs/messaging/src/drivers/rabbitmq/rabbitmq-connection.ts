import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';

export interface RabbitmqSettings {
  readonly url: string;
  /** A prefix for every name: separates two systems on one RabbitMQ. */
  readonly prefix: string;
}

const reconnectSeconds = 1;
/** A peer that is silent for twice this time counts as disconnected. */
const heartbeatSeconds = 5;

/**
 * Creates one connection, which reconnects by itself. Does not wait for RabbitMQ: a caller gets an error while it is
 * away.
 */
export async function connectRabbitmq({ url }: RabbitmqSettings, application: string): Promise<AmqpConnection> {
  const logger = new Logger('RabbitMQ');
  const connection = new AmqpConnection({
    name: application,
    uri: url,
    // Each channel declares what it needs whenever it opens: see ReconnectingChannel.
    enableDirectReplyTo: false,
    registerHandlers: false,
    connectionInitOptions: { wait: false, skipConnectionFailedLogging: true, skipDisconnectFailedLogging: true },
    connectionManagerOptions: {
      heartbeatIntervalInSeconds: heartbeatSeconds,
      reconnectTimeInSeconds: reconnectSeconds,
      connectionOptions: { clientProperties: { connection_name: application }, timeout: 4_000 },
    },
    // The library logs each channel that it opens; here this is a debug message.
    logger: new QuietLogger('RabbitMQ'),
  });
  await connection.init();

  let isAway = false;
  const { managedConnection } = connection;
  managedConnection.setMaxListeners(0); // One listener for each channel.
  // A connection that was closed normally has no error. An exception thrown here would keep the manager from
  // reconnecting.
  const away = ({ err }: { err?: Error }): void => {
    if (!isAway) logger.warn(`RabbitMQ is away: ${err?.message ?? 'the connection was closed'}`);
    isAway = true;
  };
  managedConnection.on('connectFailed', away);
  managedConnection.on('disconnect', away);
  managedConnection.on('connect', () => {
    if (isAway) logger.log('RabbitMQ is back');
    isAway = false;
  });
  return connection;
}

class QuietLogger extends Logger {
  override log(message: string): void {
    this.debug(message);
  }
}
