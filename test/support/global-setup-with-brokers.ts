import { allBrokers } from '../../scripts/brokers/all';
import { setUpBrokers } from './brokers';
import { setUp, setUpPostgres } from './set-up';

/** For the projects that need brokers as well. Jest runs it once, however many of them it was asked for. */
export default (): Promise<void> => setUp(setUpPostgres, () => setUpBrokers(allBrokers));
