import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Module, type DynamicModule } from '@nestjs/common';
import type { BrokerTopology } from '../../port/topology';
import { connectRabbitmq, type RabbitmqSettings } from './rabbitmq-connection';
import { RabbitmqDriver } from './rabbitmq-driver';
import { RabbitmqNames } from './rabbitmq-names';

/** The connection that publishes, for the driver and for code that uses RabbitMQ directly. */
@Module({})
export class RabbitmqDriverModule {
  static forRoot(settings: RabbitmqSettings, application: string, topology: BrokerTopology): DynamicModule {
    return {
      module: RabbitmqDriverModule,
      providers: [
        { provide: AmqpConnection, useFactory: () => connectRabbitmq(settings, application) },
        {
          provide: RabbitmqDriver,
          inject: [AmqpConnection],
          useFactory: (connection: AmqpConnection) =>
            new RabbitmqDriver(
              connection,
              () => connectRabbitmq(settings, `${application} consumer`),
              new RabbitmqNames(settings.prefix),
              topology,
            ),
        },
      ],
      exports: [AmqpConnection, RabbitmqDriver],
    };
  }
}
