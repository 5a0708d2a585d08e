-- One page of all leads, behind a cursor.
create temp table asked (line jsonb);
\copy asked from pstdin with (format csv, quote e'\x01', delimiter e'\x02')
select json_build_object('data', coalesce(json_agg(page order by page.id), '[]'),
	'next', case when count(*) = 100 then max(page.id)::text end)
from asked, lateral (select id, phone, organization_id from leads
	where id > coalesce(nullif(line->'vars'->>'cursor', '')::bigint, 0) order by id limit 100) page;
