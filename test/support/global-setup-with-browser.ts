import { setUpChromium } from './chromium';
import { setUp, setUpPostgres } from './set-up';

/** For the tests of the web client. */
export default (): Promise<void> => setUp(setUpPostgres, async () => setUpChromium());
