import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';

export interface RabbitmqSettings {
  readonly url: string;
  /** Stands before every name: keeps two systems on one RabbitMQ apart. */
  readonly prefix: string;
}

const reconnectSeconds = 1;
/** A peer that has said nothing for twice as long is gone. */
const heartbeatSeconds = 5;

/** One connection, which comes back by itself. Nobody waits for it: whoever needs it meanwhile gets an error. */
export async function connectRabbitmq({ url }: RabbitmqSettings, application: string): Promise<AmqpConnection> {
  const logger = new Logger('RabbitMQ');
  const connection = new AmqpConnection({
    name: application,
    uri: url,
    // What is needed is declared by the channel that needs it, each time that it opens: see LastingChannel.
    enableDirectReplyTo: false,
    registerHandlers: false,
    connectionInitOptions: { wait: false, skipConnectionFailedLogging: true, skipDisconnectFailedLogging: true },
    connectionManagerOptions: {
      heartbeatIntervalInSeconds: heartbeatSeconds,
      reconnectTimeInSeconds: reconnectSeconds,
      connectionOptions: { clientProperties: { connection_name: application }, timeout: 4_000 },
    },
    // The library tells of each channel that it opens; that is for whoever debugs it.
    logger: new QuietLogger('RabbitMQ'),
  });
  await connection.init();

  let isAway = false;
  const { managedConnection } = connection;
  managedConnection.setMaxListeners(0); // One for each channel.
  // A connection that was closed in order has no error. Whoever throws here keeps the manager from connecting again.
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
