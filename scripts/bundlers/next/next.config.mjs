export default { serverExternalPackages: ['voxface'] };
