import { Link } from 'react-router';
import { Page } from '../parts/page';
import { useText } from '../text/language';

export function NotFoundView() {
  const { notFound } = useText();
  return (
    <Page title={notFound.title}>
      <p>
        <Link to="/">{notFound.back}</Link>
      </p>
    </Page>
  );
}
