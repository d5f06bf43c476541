// The PM2 apps of the example site, derived from slots.config.ts.
// In a site of your own: `require('two-slots/ecosystem')`.
const { ecosystem } = require('./dist/config/ecosystem.js');

module.exports = ecosystem(__dirname);
