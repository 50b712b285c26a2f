import { Module, type DynamicModule } from '@nestjs/common';
import { Kafka } from 'kafkajs';
import type { BrokerTopology } from '../../port/topology';
import { connectKafka, type KafkaSettings } from './kafka-connection';
import { KafkaDriver } from './kafka-driver';

/** The client of one process, for its driver and for code that uses Kafka directly. */
@Module({})
export class KafkaDriverModule {
  static forRoot(settings: KafkaSettings, application: string, topology: BrokerTopology): DynamicModule {
    return {
      module: KafkaDriverModule,
      providers: [
        { provide: Kafka, useFactory: () => connectKafka(settings, application) },
        {
          provide: KafkaDriver,
          inject: [Kafka],
          useFactory: (kafka: Kafka) => new KafkaDriver(kafka, topology, settings),
        },
      ],
      exports: [Kafka, KafkaDriver],
    };
  }
}
