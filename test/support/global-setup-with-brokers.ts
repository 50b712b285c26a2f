import { allBrokers } from '../../scripts/brokers/find';
import { setUpBrokers } from './brokers';
import { setUp, setUpPostgres } from './set-up';

/** For the projects that also need brokers. Jest runs it once, however many of these projects it runs. */
export default (): Promise<void> => setUp(setUpPostgres, () => setUpBrokers(allBrokers));
