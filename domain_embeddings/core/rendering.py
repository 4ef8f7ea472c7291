"""The Jinja templates beside the modules, filled in one way: a name that is not given is an error."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(package: str, template: str, **values: object) -> str:
    """Fill in a template of a package; every text in one of HTML is escaped, but what is `Markup`."""
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=template.endswith(".html.jinja"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)
