-- The organisation of a phone; the default one where no phone is asked for.
create temp table asked (line jsonb);
\copy asked from pstdin with (format csv, quote e'\x01', delimiter e'\x02')
select json_build_object('id', line->'id', 'value', row_to_json(organizations))
from asked
join organizations on organizations.phone = line->'vars'->>'phone' or line->'vars'->>'default' = 'yes' and is_default;
