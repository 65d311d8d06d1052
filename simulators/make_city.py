"""Make the demo city: ``python -m simulators.make_city [FOLDER]``; one seed, the same files byte for byte."""

from pathlib import Path
from random import Random

import click

from devices.site_document import DEMO_SITE
from simulators.city.households import add_gas_alarms
from simulators.city.lighting import add_lighting
from simulators.city.patrol import add_drones
from simulators.city.plan import City, Ground
from simulators.city.roads import make_roads
from simulators.city.streets import make_streets, plain_outline
from simulators.city.vehicles import add_bridges, add_trucks
from simulators.city.water import make_nature
from simulators.city.writing import write_city


def planned_city(seed: int) -> City:
    """Return a whole city; each part draws from a stream of its own, so that a change in one moves no other."""
    streets = make_streets(Random(f"{seed} streets"))
    nature = make_nature(plain_outline())
    city = City(Ground(streets, nature, make_roads(plain_outline(), nature, Random(f"{seed} roads"))))
    add_drones(city, Random(f"{seed} drones"))
    add_trucks(city, Random(f"{seed} trucks"))
    add_bridges(city)
    add_lighting(city, Random(f"{seed} lighting"))
    add_gas_alarms(city, Random(f"{seed} gas"))
    return city


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=DEMO_SITE.parent)
@click.option("--seed", type=int, default=18, show_default=True, help="Another seed, another city.")
def main(folder: Path, seed: int) -> None:
    """Write site.toml, devices.csv, basemap.geojson and routes.geojson into FOLDER (default: the demo city's)."""
    city = planned_city(seed)
    write_city(city, folder)
    click.echo(f"{len(city.devices)} devices and {len(city.tracks)} tracks written to {folder}")


if __name__ == "__main__":
    main()
