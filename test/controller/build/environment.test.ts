import { expect, test } from 'vitest';
import { buildEnvironment } from '../../../src/controller/build/environment.ts';

test('keeps what the controller was started with and names the output folder', () => {
  const own = { PATH: '/bin', HOME: '/root', LANG: 'C.UTF-8', NODE_ENV: 'production' };
  expect(buildEnvironment(own, {}, '/out')).toEqual({ ...own, SLOTS_OUT_DIR: '/out' });
});

test('lets the config win over the environment, and the output folder over both', () => {
  const own = { TOKEN: 'old', SLOTS_OUT_DIR: '/wrong' };
  const configured = { TOKEN: 'new', SLOTS_OUT_DIR: '/wrong too' };
  expect(buildEnvironment(own, configured, '/out')).toEqual({
    TOKEN: 'new',
    SLOTS_OUT_DIR: '/out',
  });
});

test('drops what PM2 tells a process about itself', () => {
  const ofPm2 = {
    pm_id: '0',
    pm_cwd: '/srv',
    pm_exec_path: '/x',
    PM2_USAGE: 'CLI',
    PM2_JSON_PROCESSING: 'true',
    NODE_APP_INSTANCE: '0',
    axm_monitor: '[object Object]',
    name: 'site-watcher',
    namespace: 'default',
    status: 'launching',
    env: '[object Object]',
    args: '',
    version: '1.0.0',
    watch: 'false',
    exec_mode: 'fork_mode',
    instances: '1',
    unique_id: 'x',
    SLOTS_ROOT: '/srv',
    kill_retry_time: '10',
    max_restarts: '16',
  };
  expect(buildEnvironment({ ...ofPm2, PATH: '/bin' }, {}, '/out')).toEqual({
    PATH: '/bin',
    SLOTS_OUT_DIR: '/out',
  });
});

test('keeps variables of the user that only look like those of PM2', () => {
  const own = {
    PM2_HOME: '/srv/pm2',
    NAME: 'x',
    VERSION: '2',
    names: 'x',
    my_status: 'x',
    npm_config_cache: '/c',
  };
  expect(buildEnvironment(own, {}, '/out')).toMatchObject(own);
});

test('lets the config use even the names that PM2 uses', () => {
  expect(buildEnvironment({ name: 'site-watcher' }, { name: 'mine' }, '/out').name).toBe('mine');
});

test('has no variable without a value', () => {
  expect(buildEnvironment({ GONE: undefined }, {}, '/out')).toEqual({ SLOTS_OUT_DIR: '/out' });
});
