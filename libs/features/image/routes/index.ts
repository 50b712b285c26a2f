import type { FeatureRoutes } from '@app/http';
import { ImagesController } from './images.controller';
import { UploadIntake } from './upload-intake';

export const imageRoutes: FeatureRoutes = { controllers: [ImagesController], providers: [UploadIntake] };
