-- A database as the release with schema 0017 wrote it. Never edited: later releases must be able to open it.
BEGIN TRANSACTION;
CREATE TABLE activations (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	model_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	undone BOOLEAN DEFAULT 0 NOT NULL
);
INSERT INTO "activations" VALUES(1,1,1,1700000002.0,0);
INSERT INTO "activations" VALUES(2,1,2,1700000004.0,0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0017');
CREATE TABLE anomalies (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	model_id INTEGER NOT NULL, 
	started_at FLOAT NOT NULL, 
	ended_at FLOAT, 
	peak FLOAT NOT NULL, 
	peak_at FLOAT NOT NULL, 
	channel VARCHAR(16) NOT NULL, 
	contributions JSON NOT NULL, 
	verdict VARCHAR(16), 
	note VARCHAR, 
	verdict_at FLOAT
, replayed BOOLEAN DEFAULT 0 NOT NULL);
INSERT INTO "anomalies" VALUES(1,1,2,1700000000.0,1700000600.0,0.75,1700000300.0,'joint','{"cpu_usage": 0.5, "disk_busy": 0.5}','expected','backup',1700000700.0,0);
CREATE TABLE anomaly_peaks (
	host_id INTEGER NOT NULL, 
	detector VARCHAR(16) NOT NULL, 
	at FLOAT NOT NULL, 
	channel VARCHAR(16) NOT NULL, 
	peak FLOAT NOT NULL, 
	PRIMARY KEY (host_id, detector, at, channel)
)
 WITHOUT ROWID

;
INSERT INTO "anomaly_peaks" VALUES(1,'0123456789abcdef',1699999200.0,'joint',1.5);
INSERT INTO "anomaly_peaks" VALUES(1,'0123456789abcdef',1699999200.0,'spike',0.5);
CREATE TABLE capacity_resources (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	name VARCHAR NOT NULL, 
	identity VARCHAR NOT NULL, 
	seen_at FLOAT NOT NULL, 
	CONSTRAINT capacity_resources_key UNIQUE (host_id, kind, name, identity)
);
INSERT INTO "capacity_resources" VALUES(1,1,'filesystem','/var','ext4:ab12',1700000100.0);
CREATE TABLE capacity_rows (
	host_id INTEGER NOT NULL, 
	resource_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	used FLOAT NOT NULL, 
	peak FLOAT NOT NULL, 
	size FLOAT NOT NULL, 
	inode_usage FLOAT, 
	limit_ratio FLOAT, 
	probability FLOAT, 
	model_probability FLOAT, 
	full_seconds FLOAT, 
	predict_linear FLOAT, 
	persistence FLOAT, 
	base_rate FLOAT, 
	warning BOOLEAN DEFAULT 0 NOT NULL, 
	outcome INTEGER, 
	PRIMARY KEY (host_id, resource_id, at)
)
 WITHOUT ROWID

;
INSERT INTO "capacity_rows" VALUES(1,1,1700000100.0,900.0,900.0,1000.0,0.25,0.95,0.8,0.75,3600.0,1.0,0.0,0.01,1,NULL);
CREATE TABLE fleet_hosts (
	member_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	host VARCHAR NOT NULL, 
	first_seen FLOAT NOT NULL, 
	last_seen FLOAT NOT NULL, 
	CONSTRAINT fleet_hosts_host UNIQUE (host_id, host)
);
INSERT INTO "fleet_hosts" VALUES(1,1,'web1:9100',1700000000.0,1700000060.0);
CREATE TABLE fleet_predictions (
	host_id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	horizon FLOAT NOT NULL, 
	at FLOAT NOT NULL, 
	probability FLOAT NOT NULL, 
	base_rate FLOAT, 
	threshold FLOAT NOT NULL, 
	warning BOOLEAN NOT NULL, 
	high BOOLEAN NOT NULL, 
	model VARCHAR(16) NOT NULL, 
	PRIMARY KEY (host_id, member_id, horizon)
)
 WITHOUT ROWID

;
INSERT INTO "fleet_predictions" VALUES(1,1,300.0,1700000060.0,0.25,0.1,0.5,0,0,'pretrained');
CREATE TABLE fleet_score_totals (
	host_id INTEGER NOT NULL, 
	hour FLOAT NOT NULL, 
	member_id INTEGER NOT NULL, 
	horizon FLOAT NOT NULL, 
	unknown INTEGER NOT NULL, 
	scored INTEGER NOT NULL, 
	events INTEGER NOT NULL, 
	warnings INTEGER NOT NULL, 
	true_warnings INTEGER NOT NULL, 
	outcome_sum INTEGER NOT NULL, 
	brier_sum FLOAT NOT NULL, 
	baseline_brier_sum FLOAT NOT NULL, 
	PRIMARY KEY (host_id, hour, member_id, horizon)
)
 WITHOUT ROWID

;
INSERT INTO "fleet_score_totals" VALUES(1,1699999200.0,1,300.0,1,60,3,2,1,4,1.5,2.5);
CREATE TABLE fleet_warnings (
	host_id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	horizon FLOAT NOT NULL, 
	started_at FLOAT NOT NULL, 
	ended_at FLOAT, 
	probability FLOAT NOT NULL, 
	peak FLOAT NOT NULL, 
	PRIMARY KEY (host_id, member_id, horizon, started_at)
)
 WITHOUT ROWID

;
INSERT INTO "fleet_warnings" VALUES(1,1,300.0,1700000000.0,NULL,0.5,0.75);
CREATE TABLE channel_health (
	host_id INTEGER NOT NULL, 
	channel VARCHAR NOT NULL, 
	last_success_at FLOAT, 
	last_failure_at FLOAT, 
	last_error VARCHAR NOT NULL, 
	failures INTEGER NOT NULL, 
	PRIMARY KEY (host_id, channel)
)
 WITHOUT ROWID;
INSERT INTO "channel_health" VALUES(1,'ops',1700000000.0,1700000005.0,'status 503',2);
CREATE TABLE "maintenance_windows" (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	starts_at FLOAT NOT NULL, 
	ends_at FLOAT NOT NULL, 
	note VARCHAR NOT NULL
);
INSERT INTO "maintenance_windows" VALUES(1,1,1700000000.0,1700003600.0,'upgrade');
CREATE TABLE models (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size INTEGER NOT NULL, 
	promoted_at FLOAT, 
	report JSON NOT NULL, 
	blob BLOB NOT NULL
, detector BLOB);
INSERT INTO "models" VALUES(1,1,1700000001.0,'89483651baf31433bf46408ee7e2465e372515abf05080139d87c5342137c3bb',11,1700000002.0,'{"sha256": "73fad1765996e51d41203a64c8f815b4a62fa57313b65688f261bf9fd3b9669e", "report": {"skill": 0.25}}',X'6669727374206D6F64656C',NULL);
INSERT INTO "models" VALUES(2,1,1700000003.0,'bd7a78c523db9d65b1c1dac69e1b42936b96eabb46cb7384d072dba0cf689431',12,1700000004.0,'{"sha256": "a9a392a703f542bd2945ca848cef5c02314f6ca34778baf06931961c9b13931e", "report": {"skill": 0.5}}',X'7365636F6E64206D6F64656C',NULL);
CREATE TABLE notifications (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	incident VARCHAR NOT NULL, 
	change VARCHAR(16) NOT NULL, 
	created_at FLOAT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	attempts INTEGER NOT NULL, 
	finished_at FLOAT, 
	event VARCHAR NOT NULL, 
	CONSTRAINT notifications_key UNIQUE (host_id, "key", channel)
);
INSERT INTO "notifications" VALUES(1,1,'web1/high_load/1700000000.000/raised','ops','web1/high_load/1700000000.000','raised',1700000000.0,'pending',1,NULL,'{}');
CREATE TABLE notified_incidents (
	host_id INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	started_at FLOAT NOT NULL, 
	first_level FLOAT NOT NULL, 
	level FLOAT NOT NULL, 
	in_progress BOOLEAN NOT NULL, 
	PRIMARY KEY (host_id, kind)
)
 WITHOUT ROWID

;
INSERT INTO "notified_incidents" VALUES(1,'high_load',1700000000.0,900.0,300.0,1);
CREATE TABLE onsets (
	host_id INTEGER NOT NULL, 
	horizon FLOAT NOT NULL, 
	at FLOAT NOT NULL, 
	lead_time FLOAT, 
	PRIMARY KEY (host_id, horizon, at)
)
 WITHOUT ROWID

;
INSERT INTO "onsets" VALUES(1,300.0,1700000100.0,120.0);
CREATE TABLE prediction_aggregates (
	host_id INTEGER NOT NULL, 
	start FLOAT NOT NULL, 
	checksum INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (host_id, start)
);
INSERT INTO "prediction_aggregates" VALUES(1,1699999200.0,4046614229,X'789C63608080EA6A63630638101141E6AD5B07E2F1F14178EEEE20DE9F3F10DEC387205E48C8010510AFAA0AC4BB79B3A8E7C3870307A64C79FC9881C1D1D1C1C11E0A181800A35917B7');
CREATE TABLE prediction_blocks (
	host_id INTEGER NOT NULL, 
	start FLOAT NOT NULL, 
	first_at FLOAT NOT NULL, 
	last_at FLOAT NOT NULL, 
	row_count INTEGER NOT NULL, 
	format INTEGER NOT NULL, 
	checksum INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (host_id, start)
);
INSERT INTO "prediction_blocks" VALUES(1,1699999200.0,1700000005.0,1700000005.0,2,2,1162141700,X'080009000000180000000900000009000000090000000900000009000000010000000100004041FC54D941030058020000000000002C0100000000000000010200000101000000000000004001000000000000C03F017B14AE47E17A943F01333333333333E33F01000000000000000000');
CREATE TABLE predictions (
	host_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	horizon FLOAT NOT NULL, 
	model_id INTEGER NOT NULL, 
	probability FLOAT NOT NULL, 
	baseline_probability FLOAT NOT NULL, 
	threshold FLOAT NOT NULL, 
	warning BOOLEAN DEFAULT 0 NOT NULL, 
	high_load_since FLOAT, 
	PRIMARY KEY (host_id, at, horizon)
)
 WITHOUT ROWID

;
CREATE TABLE process_snapshots (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	started_at FLOAT NOT NULL, 
	anomaly_id INTEGER, 
	horizon FLOAT, 
	probability FLOAT, 
	seconds FLOAT NOT NULL, 
	visited INTEGER NOT NULL, 
	io_hidden INTEGER NOT NULL, 
	complete BOOLEAN NOT NULL, 
	processes JSON NOT NULL
);
INSERT INTO "process_snapshots" VALUES(1,1,1700000002.0,1700000000.0,1,NULL,NULL,1.0,135,130,1,'[{"pid": 7, "name": "python3", "cpu": 1.5, "memory": 1000, "disk_read": null, "disk_write": null, "command_line": null}]');
CREATE TABLE quarantined_models (
	host_id INTEGER NOT NULL, 
	model_id INTEGER NOT NULL, 
	part VARCHAR(16) NOT NULL, 
	at FLOAT NOT NULL, 
	reason VARCHAR(32) NOT NULL, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (host_id, model_id, part)
)
 WITHOUT ROWID

;
INSERT INTO "quarantined_models" VALUES(1,1,'detector',1700000005.0,'unreadable','damaged archive');
CREATE TABLE replayed_onsets (
	host_id INTEGER NOT NULL, 
	horizon FLOAT NOT NULL, 
	at FLOAT NOT NULL, 
	lead_time FLOAT, 
	PRIMARY KEY (host_id, horizon, at)
)
 WITHOUT ROWID

;
CREATE TABLE replayed_prediction_aggregates (
	host_id INTEGER NOT NULL, 
	start FLOAT NOT NULL, 
	checksum INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (host_id, start)
);
CREATE TABLE replayed_prediction_blocks (
	host_id INTEGER NOT NULL, 
	start FLOAT NOT NULL, 
	first_at FLOAT NOT NULL, 
	last_at FLOAT NOT NULL, 
	row_count INTEGER NOT NULL, 
	format INTEGER NOT NULL, 
	checksum INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (host_id, start)
);
CREATE TABLE replayed_predictions (
	host_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	horizon FLOAT NOT NULL, 
	model_id INTEGER NOT NULL, 
	probability FLOAT NOT NULL, 
	baseline_probability FLOAT NOT NULL, 
	threshold FLOAT NOT NULL, 
	warning BOOLEAN DEFAULT 0 NOT NULL, 
	high_load_since FLOAT, 
	PRIMARY KEY (host_id, at, horizon)
)
 WITHOUT ROWID

;
CREATE TABLE replayed_score_totals (
	host_id INTEGER NOT NULL, 
	horizon FLOAT NOT NULL, 
	hour FLOAT NOT NULL, 
	high_load INTEGER NOT NULL, 
	decile INTEGER NOT NULL, 
	unknown INTEGER NOT NULL, 
	scored INTEGER NOT NULL, 
	events INTEGER NOT NULL, 
	warnings INTEGER NOT NULL, 
	true_warnings INTEGER NOT NULL, 
	probability_sum FLOAT NOT NULL, 
	probability_squared_sum FLOAT NOT NULL, 
	probability_event_sum FLOAT NOT NULL, 
	baseline_squared_sum FLOAT NOT NULL, 
	baseline_event_sum FLOAT NOT NULL, false_warnings INTEGER, observed_seconds FLOAT, 
	PRIMARY KEY (host_id, horizon, hour, high_load, decile)
)
 WITHOUT ROWID

;
CREATE TABLE sample_aggregates (
	host_id INTEGER NOT NULL, 
	start FLOAT NOT NULL, 
	checksum INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (host_id, start)
);
INSERT INTO "sample_aggregates" VALUES(1,1699999200.0,2383395559,X'789C6360C0016655830820C4C1C7003345400410E2E0636A5887A601CAE7C3A9C11D4D0394FF07A78687681AA0FC10ECCA0F4C985985AC01C1BFC9F081E1033278C1C0F0E005C3A4D2932D0C1B0EEC6458F980E1070ADFD1C19EC11E053000F90C0E0E20C21E24C7508FC20700C39147BE');
CREATE TABLE sample_blocks (
	host_id INTEGER NOT NULL, 
	start FLOAT NOT NULL, 
	first_at FLOAT NOT NULL, 
	last_at FLOAT NOT NULL, 
	row_count INTEGER NOT NULL, 
	format INTEGER NOT NULL, 
	checksum INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (host_id, start)
);
INSERT INTO "sample_blocks" VALUES(1,1699999200.0,1700000000.0,1700000005.0,2,1,3451404133,X'110018000000180000000D000000010000000D0000000D0000000D0000000D0000000D0000000D0000000D0000000D0000000D0000000D0000000D0000000D0000000D0000000300050000000000000000F1536500000000000102000001030190D003000000000090D003000000000000010200000105010040010000000000000000000501004001000000000000E03F0501004001000000000000E83F0501004001000000000000000005010040010000000000C092400501004001000000000090754005010040019A9999999999C93F05010040017B14AE47E17A843F050100400100000000000000000501004001000000000000B0400501004001000000000000C03F05010080019A9999999999B93F0501008001000000000000000005010080019A9999999999A93F');
CREATE TABLE samples (
	host_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	cpu_usage FLOAT, 
	cpu_iowait FLOAT, 
	cpu_steal FLOAT, 
	load_per_cpu FLOAT, 
	memory_usage FLOAT, 
	swap_usage FLOAT, 
	network_receive FLOAT, 
	network_transmit FLOAT, 
	network_errors FLOAT, 
	network_usage FLOAT, 
	disk_read FLOAT, 
	disk_write FLOAT, 
	disk_busy FLOAT, 
	pressure_cpu FLOAT, 
	pressure_memory FLOAT, 
	pressure_io FLOAT, 
	PRIMARY KEY (host_id, at)
)
 WITHOUT ROWID

;
CREATE TABLE "score_totals" (
	host_id INTEGER NOT NULL, 
	horizon FLOAT NOT NULL, 
	hour FLOAT NOT NULL, 
	high_load INTEGER NOT NULL, 
	decile INTEGER NOT NULL, 
	unknown INTEGER NOT NULL, 
	scored INTEGER NOT NULL, 
	events INTEGER NOT NULL, 
	warnings INTEGER NOT NULL, 
	true_warnings INTEGER NOT NULL, 
	probability_sum FLOAT NOT NULL, 
	probability_squared_sum FLOAT NOT NULL, 
	probability_event_sum FLOAT NOT NULL, 
	baseline_squared_sum FLOAT NOT NULL, 
	baseline_event_sum FLOAT NOT NULL, false_warnings INTEGER, observed_seconds FLOAT, 
	PRIMARY KEY (host_id, horizon, hour, high_load, decile)
)
 WITHOUT ROWID

;
INSERT INTO "score_totals" VALUES(1,300.0,1699999200.0,0,1,2,10,3,4,2,1.5,0.25,0.5,0.4,0.6,1,50.0);
CREATE TABLE "scoring_progress" (
	host_id INTEGER NOT NULL, 
	horizon FLOAT NOT NULL, 
	scored_until FLOAT NOT NULL, 
	PRIMARY KEY (host_id, horizon)
)
 WITHOUT ROWID

;
INSERT INTO "scoring_progress" VALUES(1,300.0,1700000200.0);
CREATE TABLE serving (
	host_id INTEGER NOT NULL, 
	model_id INTEGER NOT NULL, "fallbacks" JSON, inputs_out_of_range JSON, 
	PRIMARY KEY (host_id), 
	CONSTRAINT serving_model_id_fkey FOREIGN KEY(model_id) REFERENCES models (id)
);
INSERT INTO "serving" VALUES(1,2,'{"900": {"calm": "Holt-Winters"}}','["memory_usage"]');
CREATE TABLE training_runs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	host_id INTEGER NOT NULL, 
	started_at FLOAT NOT NULL, 
	finished_at FLOAT NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	reason VARCHAR NOT NULL, 
	model_id INTEGER, 
	report JSON NOT NULL
);
INSERT INTO "training_runs" VALUES(1,1,1700000002.5,1700000004.0,'promoted','',2,'{"sha256": "dac5d8e053e03d7cf5d4f75b425ef877cd9908b6cf251a41e6e1ad4fa79f5e89", "report": {"epochs": 7}}');
CREATE INDEX notifications_status ON notifications (host_id, status, channel);
CREATE INDEX fleet_warnings_start ON fleet_warnings (host_id, started_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('models',2);
INSERT INTO "sqlite_sequence" VALUES('training_runs',1);
INSERT INTO "sqlite_sequence" VALUES('anomalies',1);
INSERT INTO "sqlite_sequence" VALUES('maintenance_windows',1);
INSERT INTO "sqlite_sequence" VALUES('activations',2);
INSERT INTO "sqlite_sequence" VALUES('process_snapshots',1);
INSERT INTO "sqlite_sequence" VALUES('notifications',1);
INSERT INTO "sqlite_sequence" VALUES('fleet_hosts',1);
INSERT INTO "sqlite_sequence" VALUES('capacity_resources',1);
COMMIT;
