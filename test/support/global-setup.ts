import { setUp, setUpPostgres } from './set-up';

/** For the projects that only need PostgreSQL. The tests read its address from the environment. */
export default (): Promise<void> => setUp(setUpPostgres);
