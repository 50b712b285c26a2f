import { tearDown } from './run-folder';

export default tearDown;
