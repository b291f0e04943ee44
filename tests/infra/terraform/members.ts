export const BUCKET = 'studio-images';

export const memberOf = (part: string): string => `serviceAccount:${part}@my-project.iam.gserviceaccount.com`;
