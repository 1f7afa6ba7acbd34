"""Pages of lists that may hold millions of rows."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

MOST_COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts no further than ``MOST_COUNTED`` rows: whoever looks for an older one filters or searches."""

    template_name = "core/bounded_pagination.html"

    @cached_property
    def count(self) -> int:
        """The number of rows, at most ``MOST_COUNTED``."""
        rows = self.object_list
        return rows.order_by()[:MOST_COUNTED].count() if isinstance(rows, QuerySet) else len(rows)

    @property
    def is_bounded(self) -> bool:
        """Whether there may be more rows than were counted."""
        return self.count == MOST_COUNTED


class BoundedChangeList(ChangeList):
    """A list that never asks how many rows there are without its filters."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows; the heading repeats no other number than theirs."""
        super().get_results(request)
        self.full_result_count = self.result_count
