export const SITE = {
  title: 'The Potting Shed',
  description: 'Notes on running small servers, slow software and growing things.',
};
