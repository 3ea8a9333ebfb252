export { findPublished, PUBLISHED, type PublishedRow, type PublishedTable } from './published/tables.ts';
