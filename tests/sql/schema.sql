create table organizations (id text primary key, phone text, is_default boolean not null default false);
create table leads (
	id bigint primary key, phone text not null, organization_id uuid not null, name text, score numeric(10,2), version int not null default 0,
	unique (phone, organization_id));
insert into organizations values ('exact', '+17786520000', false), ('normalised', '16045550000', false), ('default', null, true);
insert into leads select 9007199254740992 + n, (17786520000 + n)::text, 'b0c1b1c1-0000-0000-0000-000000000001', 'Zoë "' || n || '" \ ☎', n * 1.10
	from generate_series(1, 250) n;
