import { setUp, setUpPostgres } from './set-up';

/** For the projects that need PostgreSQL alone. The tests find it in the environment. */
export default (): Promise<void> => setUp(setUpPostgres);
