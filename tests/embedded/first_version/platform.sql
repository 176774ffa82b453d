BEGIN TRANSACTION;
CREATE TABLE account (
    one INTEGER PRIMARY KEY CHECK (one = 1), identity TEXT NOT NULL, free_tokens_only INTEGER NOT NULL DEFAULT 0,
    auto_activation INTEGER NOT NULL DEFAULT 0, ever_activated INTEGER NOT NULL DEFAULT 0,
    verified INTEGER NOT NULL DEFAULT 1);
INSERT INTO "account" VALUES(1,'0123456789abcdef0123456789abcdef',0,0,1,1);
CREATE TABLE endpoints (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, model TEXT NOT NULL REFERENCES models (name),
    model_version TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '', project TEXT NOT NULL DEFAULT 'default',
    tags TEXT NOT NULL DEFAULT '[]', status TEXT NOT NULL DEFAULT 'Running', rpm INTEGER, tpm INTEGER, scale_tpm INTEGER,
    model_units INTEGER, batch_only INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
INSERT INTO "endpoints" VALUES('ep-1','search','chat','','','default','[]','Running',NULL,NULL,NULL,NULL,0,1795426200,1795426200);
INSERT INTO "endpoints" VALUES('ep-2','units','units','','','default','[]','Running',NULL,NULL,NULL,2,0,1795426200,1795426200);
CREATE TABLE models (
    name TEXT PRIMARY KEY, display_name TEXT NOT NULL DEFAULT '', domain TEXT NOT NULL DEFAULT '',
    task_types TEXT NOT NULL DEFAULT '', versions TEXT NOT NULL DEFAULT '', deprecated INTEGER NOT NULL DEFAULT 0,
    invite_only INTEGER NOT NULL DEFAULT 0, billing TEXT NOT NULL DEFAULT 'PayByToken', rpm INTEGER, tpm INTEGER,
    prices TEXT NOT NULL DEFAULT '[]', docs_url TEXT NOT NULL DEFAULT '',
    activated INTEGER NOT NULL DEFAULT 0, sub_services TEXT NOT NULL DEFAULT '',
    free_total INTEGER, free_used INTEGER NOT NULL DEFAULT 0, free_shown INTEGER NOT NULL DEFAULT 0,
    free_shown_at INTEGER NOT NULL DEFAULT 0, free_out_at INTEGER, boundary_at INTEGER,
    limit_tokens INTEGER, limit_used INTEGER NOT NULL DEFAULT 0, limit_effective_at INTEGER, limit_set_at INTEGER,
    limit_reached_at INTEGER);
INSERT INTO "models" VALUES('chat','','LLM','','251015',0,0,'PayByToken',NULL,NULL,'[]','',1,'',1000,1000,1000,1795428000,1795426200,NULL,5000,0,1795429800,1795429800,NULL);
INSERT INTO "models" VALUES('units','','LLM','','',0,0,'PayByToken',NULL,NULL,'[]','',1,'',0,0,0,1795424400,NULL,NULL,NULL,0,NULL,NULL,NULL);
CREATE TABLE use_by_hour (
    model TEXT NOT NULL, hour INTEGER NOT NULL, kind TEXT NOT NULL, requests INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0, free INTEGER NOT NULL DEFAULT 0, billed INTEGER NOT NULL DEFAULT 0,
    unbilled INTEGER NOT NULL DEFAULT 0, covered INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (model, hour, kind)) WITHOUT ROWID;
INSERT INTO "use_by_hour" VALUES('chat',0,'online',0,100,0,0,0,0);
INSERT INTO "use_by_hour" VALUES('chat',498729,'batch',1,40,0,40,0,0);
INSERT INTO "use_by_hour" VALUES('chat',498729,'online',3,1200,900,300,0,0);
INSERT INTO "use_by_hour" VALUES('chat',498730,'online',1,7,0,7,0,0);
INSERT INTO "use_by_hour" VALUES('units',498729,'online',1,60,0,0,0,60);
CREATE TABLE use_by_minute (
    scope TEXT NOT NULL, name TEXT NOT NULL, minute INTEGER NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
    PRIMARY KEY (scope, name, minute)) WITHOUT ROWID;
INSERT INTO "use_by_minute" VALUES('endpoint','ep-1',29923770,1,700);
INSERT INTO "use_by_minute" VALUES('endpoint','ep-2',29923770,1,60);
INSERT INTO "use_by_minute" VALUES('model','chat',29923770,3,1200);
INSERT INTO "use_by_minute" VALUES('model','chat',29923830,1,7);
CREATE INDEX endpoints_by_model ON endpoints (model);
CREATE INDEX endpoints_by_name ON endpoints (name);
CREATE INDEX use_of_hour ON use_by_hour (hour);
COMMIT;
PRAGMA application_id = 1297108812;
PRAGMA user_version = 1;
